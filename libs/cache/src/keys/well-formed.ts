/** Whether a text has no half of a surrogate pair by itself (ES2024, which Node has had since 20). */
export function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

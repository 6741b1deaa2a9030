const PLACEHOLDER = /<%([=-])\s*(\w+)\s*%>/g;

/**
 * Fills the placeholders of an EJS page: `<%= name %>` escaped, `<%- name %>` as it is.
 * @throws TypeError when the page holds more of EJS than that
 */
export function fillTemplate(template: string, values: Readonly<Record<string, unknown>>): string {
  if (template.replaceAll(PLACEHOLDER, '').includes('<%')) {
    throw new TypeError('The page of bull-board holds more than placeholders now.');
  }
  return template.replaceAll(PLACEHOLDER, (_, kind: string, name: string) => {
    const value = values[name];
    const text = typeof value === 'string' ? value : '';
    return kind === '-' ? text : escapeHtml(text);
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

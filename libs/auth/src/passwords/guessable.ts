/** What people choose first. Words only: what they add to them is taken off before. */
const COMMON_WORDS = new Set(
  (
    'password passwort motdepasse contrasena passphrase passcode secret geheim letmein welcome ' +
    'willkommen login admin administrator root superuser user username guest test testing default ' +
    'changeme changeit master monkey dragon sunshine princess football baseball superman batman ' +
    'iloveyou trustno shadow killer pepper cheese summer winter spring autumn january february march ' +
    'april june july august september october november december monday friday sunday qwerty qwertz ' +
    'azerty asdf asdfgh zxcvbn qwertyuiop asdfghjkl zxcvbnm abc abcd abcdef abcdefgh computer internet ' +
    'database server company business pantheon hello ninja freedom whatever starwars pokemon naruto'
  ).split(' '),
);
const KEYBOARD_ROWS = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'azertyuiop',
  '1234567890',
];
const LOOKALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};
const MIN_CONTEXT_WORD_CHARACTERS = 4;
/** Such a part of the steps from one character to the next may be predictable. */
const PREDICTABLE_PART = 0.75;
const MIN_DISTINCT_CHARACTERS = 5;

/**
 * Why a password would be among the first to be guessed, whatever its length; undefined when it would
 * not. Looks for a common word or one of `contextWords` (such as the name before the @) that was only
 * decorated, repeated or spelled with look-alikes, for runs on a keyboard, in the alphabet or in
 * numbers, and for a few characters over and over.
 */
export function whyGuessable(
  password: string,
  contextWords: readonly string[] = [],
): string | undefined {
  const text = password.toLowerCase();
  if (new Set(text).size < MIN_DISTINCT_CHARACTERS) return 'it repeats a few characters';
  if (isRun(text)) return 'it follows the keyboard, the alphabet or the numbers';
  const forbidden = new Set(
    contextWords.map(lettersOf).filter((word) => word.length >= MIN_CONTEXT_WORD_CHARACTERS),
  );
  for (const core of coresOf(text)) {
    const word = unitOf(core);
    if (COMMON_WORDS.has(word)) return 'it is a common word with decorations';
    if (forbidden.has(word)) return 'it is made of the name of the account';
  }
  return undefined;
}

/** What is left when the decorations go: as it is spelled, and with look-alikes read as letters. */
function coresOf(text: string): string[] {
  const bare = text.replaceAll(/^[^\p{L}@$!]+|[^\p{L}]+$/gu, '');
  const read = Array.from(bare, (character) => LOOKALIKES[character] ?? character).join('');
  return [lettersOf(text), lettersOf(read)];
}

function lettersOf(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}]/gu, '');
}

/** `abcabc` is `abc`. */
function unitOf(text: string): string {
  const period = (text + text).indexOf(text, 1);
  return period > 0 ? text.slice(0, period) : text;
}

function isRun(text: string): boolean {
  const characters = Array.from(text);
  let predictable = 0;
  for (let index = 1; index < characters.length; index += 1) {
    if (isStep(characters[index - 1] ?? '', characters[index] ?? '')) predictable += 1;
  }
  return predictable >= (characters.length - 1) * PREDICTABLE_PART;
}

function isStep(from: string, to: string): boolean {
  const distance = Math.abs((to.codePointAt(0) ?? 0) - (from.codePointAt(0) ?? 0));
  if (distance <= 1) return true;
  return KEYBOARD_ROWS.some((row) => row.includes(from + to) || row.includes(to + from));
}

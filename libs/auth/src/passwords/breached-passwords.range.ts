import { breachHashOf, BreachedPasswords } from './breached-passwords.js';

const PREFIX_CHARACTERS = 5;

/**
 * A service that is told the first five digits of a hash and answers with the rest of all hashes that
 * begin so, one a line, anything after a colon ignored. It never learns the password, nor its hash.
 */
export class RangeBreachedPasswords extends BreachedPasswords {
  constructor(
    /** Answers with the text of `/range/<first five digits>`. */
    private readonly range: (prefix: string) => Promise<string>,
  ) {
    super();
  }

  async includes(password: string): Promise<boolean> {
    const hash = breachHashOf(password);
    const wanted = hash.slice(PREFIX_CHARACTERS);
    const answer = await this.range(hash.slice(0, PREFIX_CHARACTERS));
    return answer.split('\n').some((line) => {
      const [suffix = '', count] = line.trim().toUpperCase().split(':');
      // A count of 0 pads the answer, so that its length tells nothing.
      return suffix === wanted && count !== '0';
    });
  }
}

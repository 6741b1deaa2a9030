import { describe, expect, it } from '@jest/globals';
import { whyGuessable } from './guessable.js';

describe('whyGuessable', () => {
  it.each([
    'aaaaaaaaaaaa',
    'abababababab',
    '123456789012',
    'abcdefghijklm',
    'qwertyuiopasdf',
    '987654321098',
    'Password1234',
    'P@ssw0rd!!!!2024',
    '!!!password!!!',
    'passwordpassword',
    'Welcome2024!!',
    '1234letmein5678',
    'changeme-changeme',
    'Pantheon-12345',
    'Sommer2024'.replace('Sommer', 'Summer') + '!!',
    'ada.lovelace1815',
    'AdaLovelace!!!!',
  ])('refuses %s', (password) => {
    expect(whyGuessable(password, ['ada.lovelace'])).toBeDefined();
  });

  it.each([
    'correct horse battery staple',
    'a long enough password',
    'mein Hund isst gern Käse',
    'x7#kQ!2pVz9w',
    '私は毎日コーヒーを飲みます',
    'the quick brown fox jumps',
    'lovelace was the first programmer',
    '🔑🚪🌲🐙🎻🍋🔭🧭🪁🛶🎈🧩',
  ])('takes %s', (password) => {
    expect(whyGuessable(password, ['ada.lovelace'])).toBeUndefined();
  });

  it('does not mind a name of the account that is a syllable', () => {
    expect(whyGuessable('alan likes long walks', ['al'])).toBeUndefined();
  });
});

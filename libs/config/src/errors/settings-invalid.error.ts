import { type Fault, PantheonError } from '#libs/core';

/** Thrown when settings do not fit their schema; each fault names the setting and its source. */
export class SettingsInvalidError extends PantheonError {
  constructor(faults: readonly Fault[]) {
    super(
      'CONFIG_INVALID',
      `Configuration is invalid:\n${faults.map(({ path, message }) => `  ${path}: ${message}`).join('\n')}`,
      { kind: 'invalid', faults },
    );
  }
}

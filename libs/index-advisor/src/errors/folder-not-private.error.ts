import { PantheonError } from '#libs/core';

/** The folder for copies of statistics can be read by others, or is somebody else's. */
export class FolderNotPrivateError extends PantheonError {
  constructor(readonly folder: string) {
    super(
      'INDEX_ADVISOR_FOLDER_NOT_PRIVATE',
      `The folder ${folder} is not a folder that this user alone can read. Statistics hold values ` +
        'of rows, so remove it, set its mode to 700, or name another.',
      { kind: 'internal' },
    );
  }
}

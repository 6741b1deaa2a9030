/** Whether the tests run as root, who can also test what ordinary users see. */
export const isRoot = process.getuid?.() === 0;

/** A user without any rights: `nobody` when we are root, else ourselves. */
export const ordinaryUser = isRoot ? { uid: 65_534, gid: 65_534 } : {};

declare module 'pg/lib/utils.js' {
  /** How `pg` makes a parameter of a value. */
  const utils: { readonly prepareValue: (value: unknown) => string | Buffer | null | undefined };
  export default utils;
}

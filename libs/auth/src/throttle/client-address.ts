export { clientKeyOf } from '#libs/http';

import { register } from 'node:module';

register('../../support/typescript.hooks.mjs', import.meta.url);

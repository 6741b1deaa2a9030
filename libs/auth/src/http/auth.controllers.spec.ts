import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { PATH_METADATA } from '@nestjs/common/internal';
import { Reflector } from '@nestjs/core';
import { HandsOutSecrets } from '#libs/http';
import { authControllers } from './auth.controllers.js';

const pathOf = (controller: object): string =>
  `/${String(Reflect.getMetadata(PATH_METADATA, controller))}`;

describe('the routes of auth', () => {
  it.each(authControllers.map((controller) => [pathOf(controller), controller] as const))(
    'are never compressed where they hand out secrets: %s',
    (path, controller) => {
      const isSecret = path.startsWith('/v1/auth') || path.startsWith('/oauth');
      const mark = new Reflector().get(HandsOutSecrets, controller);
      expect(mark !== undefined).toBe(isSecret);
    },
  );
});

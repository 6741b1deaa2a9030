import { Reflector } from '@nestjs/core';

/**
 * Answers of the handler, or of the whole controller, have secrets in them, such as tokens and keys.
 * They are never compressed: how far an answer can be compressed tells of the secret in it, beside what
 * somebody else has put into it (BREACH).
 */
export const HandsOutSecrets = Reflector.createDecorator<void>();

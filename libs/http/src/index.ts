export { Public, RequirePermission, RequireSession } from './access.decorator.js';
export type { RequiredPermission } from './access.decorator.js';
export { clientKeyOf } from './client-address.js';
export { isCompressible } from './compression/compressible.js';
export { Compression } from './compression/compression.js';
export type { CompressionFigures, CompressionOptions } from './compression/compression.js';
export { HandsOutSecrets } from './compression/secrets.decorator.js';
export { CONTENT_CODINGS } from './compression/content-coding.js';
export type { ContentCoding } from './compression/content-coding.js';
export { varyWith, weakTag } from './compression/header-values.js';
export { ACCEPTED_CODINGS, inflateBody } from './compression/inflate-body.js';
export type { InflatedBody, InflationLimits } from './compression/inflate-body.js';
export { isSentAsIs, sendAsIs } from './compression/sent-as-is.js';
export { CurrentCredential, CurrentPrincipal } from './current-principal.decorator.js';
export type { AuthenticatedRequest } from './current-principal.decorator.js';
export { decoratedHandlers } from './decorated-handlers.js';
export { Idempotent } from './idempotent.decorator.js';
export type { IdempotentOptions } from './idempotent.decorator.js';
export { ownHeadersOf, setHeaders } from './own-headers.js';
export { decodeCursor, encodeCursor, pageQuerySchema, pageSchema } from './page.js';
export type { Page, PageQuery } from './page.js';
export { Priority } from './priority.decorator.js';
export type { PriorityClass } from './priority.decorator.js';
export { problemSchema } from './problem.js';
export type { Problem } from './problem.js';
export {
  AcceptsText,
  DocumentedAnswers,
  DocumentedBodies,
  Problems,
  Returns,
  ReturnsText,
} from './returns.decorator.js';
export type { DocumentedAnswer, DocumentedBody } from './returns.decorator.js';
export { isRouteGuard, RouteChecks } from './route-guard.js';
export type { CredentialHeaders, GuardedRequest, RouteCheck, RouteGuard } from './route-guard.js';
export { compileSerializer, hasTimes } from './serialisation/compile-serializer.js';

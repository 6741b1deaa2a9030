import type { AuthorizationRequest } from '../authorization.js';
import { policySourceOf } from '../redirect-uri.js';
import { grantOfToken } from '../scope.js';
import { html, type Html } from './html.js';
import { type Page, page } from './page.js';

/** What a person sees beside the request: why they are asked again, and what the form must carry. */
export interface AuthorizeForm {
  readonly csrfToken: string;
  readonly cookie: string;
  readonly status: number;
  readonly fault?: string | undefined;
  readonly email?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** Asks a person to log in and to say whether a client may act for them. */
export function authorizePage(request: AuthorizationRequest, form: AuthorizeForm): Page {
  const { client, redirectUri, scope } = request;
  const target = policySourceOf(redirectUri);
  const content = html`<h1>${client.name} asks to act for you</h1>
    ${form.fault === undefined ? '' : html`<p class="fault" role="alert">${form.fault}</p>`}
    <p>With your account it may, as far as you may:</p>
    <ul>
      ${scope.split(' ').map(scopeItem)}
    </ul>
    <form method="post" action="/oauth/authorize">
      ${Object.entries(fieldsOf(request)).map(([name, value]) => hidden(name, value))}
      ${hidden('csrf_token', form.csrfToken)}
      <label
        >Email<input
          name="email"
          type="email"
          autocomplete="username"
          required
          value="${form.email ?? ''}"
      /></label>
      <label
        >Password<input name="password" type="password" autocomplete="current-password" required
      /></label>
      <div class="buttons">
        <button name="decision" value="allow">Allow</button>
        <button name="decision" value="deny" formnovalidate>Deny</button>
      </div>
    </form>
    <p class="small">You are then sent to <code>${redirectUri}</code>.</p>`;
  return page(form.status, `${client.name} asks to act for you`, content, {
    formTargets: [`'self'`, target],
    headers: {
      'set-cookie': form.cookie,
      ...(form.retryAfterSeconds === undefined
        ? {}
        : { 'retry-after': String(form.retryAfterSeconds) }),
    },
  });
}

/** Says why nobody is sent anywhere. */
export function faultPage(fault: string): Page {
  const content = html`<h1>This does not work</h1>
    <p class="fault" role="alert">${fault}</p>
    <p class="small">Whoever runs the application that sent you here can mend it.</p>`;
  return page(400, 'This does not work', content);
}

/** Everything that the form brings back of the request. */
function fieldsOf(request: AuthorizationRequest): Readonly<Record<string, string>> {
  return {
    response_type: 'code',
    client_id: request.client.id,
    redirect_uri: request.redirectUri,
    scope: request.scope,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
    ...(request.state === undefined ? {} : { state: request.state }),
  };
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" /> `;
}

function scopeItem(token: string): Html {
  const { resource, action } = grantOfToken(token);
  const what = action === '*' ? 'do everything' : action;
  const where = resource === '*' ? html`everything` : html`<code>${resource}</code>`;
  return html`<li><strong>${what}</strong> on ${where}</li>`;
}

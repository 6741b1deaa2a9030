import { hash } from 'node:crypto';
import { html, Html } from './html.js';

/** A page with the headers that it needs. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f3f4f6, #16181d); color: light-dark(#1a1d24, #e6e8ee); }
main { box-sizing: border-box; width: min(26rem, 100%); padding: 2rem; background: light-dark(#fff, #20232b); border-radius: .75rem; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
ul { padding-left: 1.25rem; }
code { overflow-wrap: anywhere; }
label { display: block; margin-top: 1rem; }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem; margin-top: .25rem; }
.buttons { display: flex; gap: .75rem; margin-top: 1.5rem; }
button { flex: 1; font: inherit; padding: .6rem; cursor: pointer; }
.fault { padding: .75rem; border-left: 4px solid #c62828; background: light-dark(#fdecea, #3b1f1f); }
.small { font-size: .875rem; opacity: .8; }
`;

/** The policy allows it by its hash: nothing may be added between the tags. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

let styleSource: string | undefined;

/**
 * A page without scripts, which may load nothing, be framed by nobody, and send its form only here
 * and to where the answer leads.
 */
export function page(
  status: number,
  title: string,
  content: Html,
  options: { readonly formTargets?: readonly string[]; readonly headers?: Page['headers'] } = {},
): Page {
  styleSource ??= `'sha256-${hash('sha256', STYLE, 'base64')}'`;
  const formAction = options.formTargets === undefined ? `'none'` : options.formTargets.join(' ');
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html> `;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        `default-src 'none'; style-src ${styleSource}; form-action ${formAction}; ` +
        `frame-ancestors 'none'; base-uri 'none'`,
      ...options.headers,
    },
    body: document.text,
  };
}

import { BOARD_PATH } from './job-board.js';

/** A page that asks who is there, for browsers that open the board without a session. */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Pantheon jobs</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 20rem; margin: 15vh auto; padding: 0 1rem; }
      label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
      input { margin: 0.25rem 0 1rem; padding: 0.5rem; }
      button { padding: 0.5rem; }
    </style>
  </head>
  <body>
    <h1>Jobs</h1>
    <form>
      <label>Email <input name="email" type="email" autocomplete="username" required /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      <button>Open the board</button>
    </form>
    <p role="alert"></p>
    <script src="${BOARD_PATH}/sign-in.js"></script>
  </body>
</html>
`;

/** The script of the page: logs in, exchanges the token for a session, and loads the board. */
export function signInScript(loginPath: string): string {
  return `const form = document.querySelector('form');
const post = async (url, options) => {
  const answer = await fetch(url, { method: 'POST', ...options });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? answer.statusText);
  return body;
};
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const alert = document.querySelector('[role=alert]');
  try {
    const { accessToken } = await post(${JSON.stringify(loginPath)}, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    });
    await post('${BOARD_PATH}/session', { headers: { authorization: 'Bearer ' + accessToken } });
    location.reload();
  } catch (error) {
    alert.textContent = error.message;
  }
});
`;
}

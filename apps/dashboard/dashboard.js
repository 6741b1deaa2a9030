import { serverSentEvents } from './server-sent-events.js';

const HEALTH_INTERVAL_MS = 2000;
const JOBS_INTERVAL_MS = 5000;
const RECONNECT_MS = 2000;
const CHART_POINTS = 180;

/** Kept in memory only: a reload asks again, and no script of another page can read it. */
let accessToken;
const history = [];
const element = (id) => document.getElementById(id);

element('login').addEventListener('submit', (event) => {
  event.preventDefault();
  void logIn(new FormData(event.target));
});
showLogin(true);
repeat(showHealth, HEALTH_INTERVAL_MS);

async function logIn(form) {
  const response = await fetch('/v1/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(form)),
  });
  const answer = await response.json();
  element('login-error').textContent = response.ok ? '' : answer.detail;
  if (!response.ok) return;
  accessToken = answer.accessToken;
  showLogin(false);
  repeat(showJobs, JOBS_INTERVAL_MS);
  await followMetrics();
}

function showLogin(isNeeded) {
  element('login').hidden = !isNeeded;
  element('private').hidden = isNeeded;
}

/** A request with the token; when that is refused, people have to log in again. */
async function authorized(path) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${accessToken}` } });
  if (response.status === 401) {
    accessToken = undefined;
    showLogin(true);
  }
  if (!response.ok) throw new Error((await response.json()).detail);
  return response;
}

async function followMetrics() {
  while (accessToken !== undefined) {
    try {
      const { body } = await authorized('/v1/perf/metrics/stream');
      for await (const data of serverSentEvents(body)) showMetrics(JSON.parse(data));
    } catch (error) {
      element('state').textContent = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function showHealth() {
  const state = element('state');
  try {
    const { status, details } = await (await fetch('/health')).json();
    state.textContent = status;
    state.className = status;
    fillRows(
      'health',
      Object.entries(details).map(([name, component]) => [
        name,
        cell(component.code ?? component.status, component.status),
        new Date(component.since).toLocaleString(),
        `${component.durationMs} ms`,
      ]),
    );
  } catch {
    state.textContent = 'The server cannot be reached.';
    state.className = 'error';
  }
}

function showMetrics({ http, routes, figures }) {
  const minute = http.windows['1m'];
  const cards = {
    'Requests/s': minute.perSecond,
    'p50 ms': minute.p50Ms,
    'p95 ms': minute.p95Ms,
    'p99 ms': minute.p99Ms,
    'Failed %': minute.failureRatio === null ? null : minute.failureRatio * 100,
    'In flight': http.inFlight,
    Users: minute.users,
  };
  element('cards').replaceChildren(
    ...Object.entries(cards).map(([name, value]) => {
      const card = document.createElement('div');
      card.append(textElement('dt', name), textElement('dd', shown(value)));
      return card;
    }),
  );
  history.push({ rate: minute.perSecond, p95Ms: minute.p95Ms ?? 0 });
  if (history.length > CHART_POINTS) history.shift();
  drawChart();
  fillRows(
    'routes',
    routes.map(({ method, route, windows: { '5m': window } }) => [
      `${method} ${route}`,
      window.count,
      ...[window.perSecond, window.p50Ms, window.p95Ms, window.p99Ms, window.maxMs].map(shown),
      window.failures,
    ]),
  );
  fillRows(
    'figures',
    Object.entries(figures).flatMap(([collector, values]) =>
      Object.entries(values ?? {}).map(([name, value]) => [
        `${collector}.${name}`,
        typeof value === 'object' ? JSON.stringify(value) : shown(value),
      ]),
    ),
  );
}

async function showJobs() {
  if (accessToken === undefined) return;
  const { items } = await (await authorized('/v1/jobs?limit=15')).json();
  fillRows(
    'jobs',
    items.map((job) => [
      job.name,
      job.queue,
      cell(job.state, job.state),
      new Date(job.enqueuedAt).toLocaleString(),
    ]),
  );
}

/** Requests per second filled, p95 as a line; each on a scale of its own. */
function drawChart() {
  const canvas = element('chart');
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  const style = getComputedStyle(document.documentElement);
  const x = (index) => (index / (CHART_POINTS - 1)) * width;
  const y = (name) => {
    const highest = Math.max(1, ...history.map((point) => point[name]));
    return (point) => height - (point[name] / highest) * (height - 14);
  };
  context.clearRect(0, 0, width, height);
  context.globalAlpha = 0.35;
  context.fillStyle = style.getPropertyValue('--good');
  const rate = y('rate');
  for (const [index, point] of history.entries()) {
    context.fillRect(x(index), rate(point), width / CHART_POINTS, height);
  }
  context.globalAlpha = 1;
  context.strokeStyle = style.getPropertyValue('--bad');
  context.beginPath();
  const p95 = y('p95Ms');
  for (const [index, point] of history.entries()) context.lineTo(x(index), p95(point));
  context.stroke();
}

function fillRows(table, rows) {
  element(table)
    .querySelector('tbody')
    .replaceChildren(
      ...rows.map((values) => {
        const row = document.createElement('tr');
        row.append(...values.map((value) => (value instanceof Node ? value : cell(value))));
        return row;
      }),
    );
}

function cell(text, className = '') {
  const made = textElement('td', text);
  made.className = className;
  return made;
}

function textElement(name, text) {
  const made = document.createElement(name);
  made.textContent = String(text);
  return made;
}

function shown(value) {
  if (value === null || value === undefined) return '–';
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : String(value);
}

/** Runs `work` now and then again and again; a failure is shown and does not end it. */
function repeat(work, intervalMs) {
  const run = () =>
    work().catch((error) => {
      element('state').textContent = error.message;
    });
  void run();
  setInterval(run, intervalMs);
}

import { startProgressBar } from '../support/progress-bar.js';
import { Connection, type Request } from './connection.js';

/** Somebody who has logged in, with a conversation of their own. */
export interface BenchUser {
  readonly email: string;
  readonly password: string;
  readonly connection: Connection;
  token: string;
}

const SOURCE = 'chat';
const FRUITS = ['apple', 'banana', 'cherry', 'damson', 'elderberry', 'fig', 'grape'];
const ENTRIES = 40;
/** A password takes 18 ms of a processor to check, and there are few of them. */
const AT_A_TIME = 4;

/** Registers users, logs each in and fills a source of each, with a bar that shows how far it is. */
export async function makeUsers(port: number, count: number, from = 0): Promise<BenchUser[]> {
  const bar = await startProgressBar('Users   ', count);
  const users: BenchUser[] = [];
  let next = from;
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      while (next < from + count) {
        users.push(await makeUser(port, next++));
        bar.update(users.length);
      }
    }),
  );
  bar.stop();
  return users;
}

async function makeUser(port: number, index: number): Promise<BenchUser> {
  const credentials = {
    email: `user-${index}@bench.example`,
    password: `password of user ${index}`,
  };
  const connection = new Connection(port);
  await expectStatus(connection, 201, {
    method: 'POST',
    path: '/v1/auth/register',
    body: credentials,
  });
  const token = await logIn(connection, credentials);
  const source = { name: SOURCE, kind: 'conversation' };
  await expectStatus(connection, 201, { method: 'POST', path: '/v1/sources', token, body: source });
  await expectStatus(connection, 200, {
    method: 'POST',
    path: `/v1/sources/${SOURCE}/entries/bulk`,
    token,
    contentType: 'application/x-ndjson',
    body: Array.from({ length: ENTRIES }, (_, line) => `${JSON.stringify(entry(line))}\n`).join(''),
  });
  return { ...credentials, connection, token };
}

/** A token of a new session. */
export async function logIn(
  connection: Connection,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<string> {
  const answer = await expectStatus(connection, 200, {
    method: 'POST',
    path: '/v1/auth/login',
    body: { email, password },
  });
  return (JSON.parse(answer) as { accessToken: string }).accessToken;
}

export async function expectStatus(
  connection: Connection,
  status: number,
  request: Request,
): Promise<string> {
  const answer = await connection.send(request);
  if (answer.status !== status) {
    throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.body}`);
  }
  return answer.body;
}

function entry(line: number): object {
  return {
    text: `Remark ${line} about ${fruit(line)} and ${fruit(line + 3)}`,
    author: line % 2 === 0 ? 'Ann' : 'Bot',
    role: line % 2 === 0 ? 'user' : 'assistant',
  };
}

function fruit(index: number): string {
  return FRUITS[index % FRUITS.length] ?? '';
}

/** What people do with the domain, by how often of 100 times. */
export const DOMAIN_MIX: readonly {
  readonly name: string;
  readonly share: number;
  readonly request: (random: number) => Request;
}[] = [
  { name: 'who am I', share: 25, request: () => get('/v1/auth/me') },
  { name: 'list sources', share: 15, request: () => get('/v1/sources') },
  { name: 'read a source', share: 10, request: () => get(`/v1/sources/${SOURCE}`) },
  { name: 'read entries', share: 5, request: () => get(`/v1/sources/${SOURCE}/entries?limit=10`) },
  {
    name: 'compile',
    share: 15,
    request: () => post('/v1/contexts/compile', { sources: [{ id: SOURCE }] }),
  },
  {
    name: 'compile for a query',
    share: 10,
    request: (random) =>
      post('/v1/contexts/compile', {
        sources: [{ id: SOURCE }],
        texts: [`${fruit(random)} remarks`],
      }),
  },
  {
    name: 'recall',
    share: 8,
    request: (random) => post('/v1/memories/recall', { query: fruit(random) }),
  },
  {
    name: 'remember',
    share: 4,
    request: (random) =>
      post('/v1/memories/remember', { text: `I like ${fruit(random)} ${random}` }),
  },
  {
    name: 'add an entry',
    share: 8,
    request: (random) => post(`/v1/sources/${SOURCE}/entries`, entry(random)),
  },
];

function get(path: string): Request {
  return { method: 'GET', path };
}

function post(path: string, body: object): Request {
  return { method: 'POST', path, body };
}

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** What Node keeps of the head of a response between `writeHead` and `end`. */
interface HeadHolder {
  _header?: unknown;
}

const END = '\r\n\r\n';

/**
 * Whether lines can be added to the head that `writeHead` has made: the field where Node keeps it is
 * no promise, so it is tried once. Where it is gone, heads are made as usual.
 */
export const canExtendHead: boolean = tried();

/**
 * Adds lines to the head of a response after `writeHead`, and ends it with a body whose length the
 * head tells. The lines must be known to be valid, each with its line end: Node, which takes as long
 * to check twenty headers as to send them, does not see them. Head and body are one string with a
 * character for each byte, which takes one write; `end(body)` takes one of several parts.
 */
export function endWith(raw: ServerResponse, lines: string, body: string): void {
  const holder = raw as HeadHolder;
  const head = holder._header as string;
  holder._header = `${head.slice(0, -2)}${lines}\r\n${body}`;
  raw.end();
}

function tried(): boolean {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.writeHead(200, ['content-length', '0']);
  const { _header: head } = response as HeadHolder;
  return typeof head === 'string' && head.startsWith('HTTP/1.1 200 OK\r\n') && head.endsWith(END);
}

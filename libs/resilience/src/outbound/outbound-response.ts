/** A whole answer of another service. Of any status below 500 but 3xx and 429. */
export class OutboundResponse {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly body: Uint8Array,
  ) {}

  /** Whether the status is 2xx. */
  get isOk(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  text(): string {
    return new TextDecoder().decode(this.body);
  }

  /** @throws SyntaxError when it is no JSON */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

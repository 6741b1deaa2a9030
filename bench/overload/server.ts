import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { RequirePermission, Returns } from '#libs/http';
import { Metrics } from '#libs/metrics';
import { AdmissionControl } from '#libs/resilience';
import { servePlatform } from '../support/served-platform.js';
import { CPU_MS, IO_MS, IO_SLOTS, type ServerMessage, type ServerReport } from './protocol.js';

/** As many places as a pool has connections; who finds none waits, first come, first served. */
class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async take(): Promise<void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  giveBack(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}

/** Two handlers that know nothing of overload: one needs the CPU, the other something that is scarce. */
@Controller('v1/bench')
class BenchController {
  /** Requests in the second handler, also those whose client has given up. */
  waiting = 0;
  private readonly slots = new Slots(IO_SLOTS);

  @Get('cpu')
  @RequirePermission({ resource: 'bench', action: 'read' })
  @Returns(200, 'Computes for 4 ms')
  compute(): { readonly turns: number } {
    const endMs = performance.now() + CPU_MS;
    let turns = 0;
    while (performance.now() < endMs) turns += 1;
    return { turns };
  }

  @Get('io')
  @RequirePermission({ resource: 'bench', action: 'read' })
  @Returns(200, 'Waits for 20 ms, as one of a few at a time')
  async wait(): Promise<{ readonly waitedMs: number }> {
    this.waiting += 1;
    await this.slots.take();
    try {
      await sleep(IO_MS);
    } finally {
      this.slots.giveBack();
      this.waiting -= 1;
    }
    return { waitedMs: IO_MS };
  }
}

@Module({ controllers: [BenchController] })
class BenchModule {}

/** The API as it runs, with the two handlers, until the parent ends it. */
export async function serve(): Promise<void> {
  const app = await servePlatform([BenchModule]);
  const store = app.get(SettingsStore);
  const { port } = app.getHttpServer().address() as { readonly port: number };
  const control = app.get(AdmissionControl);
  const metrics = app.get(Metrics);
  const controller = app.get(BenchController);
  const report = (): void => {
    const { user, system } = process.cpuUsage();
    const message: ServerReport = {
      port,
      cpuMs: (user + system) / 1_000,
      limit: control.concurrencyLimit,
      inFlight: metrics.http.inFlight + controller.waiting,
      rssBytes: process.memoryUsage.rss(),
    };
    process.send?.(message);
  };
  process.on('message', (message: ServerMessage) => {
    if (message.enabled !== undefined) {
      store.overrideAll({ 'admission.enabled': message.enabled });
    }
    report();
  });
  report();
}

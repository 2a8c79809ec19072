import { describe, expect, it } from '@jest/globals';
import { storeDown } from '../../fakes/memory-tables.js';
import { EVENT, startHttpService } from '../../support/http-service.js';

describe('while the store cannot keep up', () => {
  it('answers 503 with Retry-After, and the event is known when it is sent again', async () => {
    const service = await startHttpService({ deadlineMs: 50 });
    let open = (): void => undefined;
    service.store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const late = await service.send('/v1/ingest', JSON.stringify(EVENT));
    expect(late.status).toBe(503);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await late.json()).toMatchObject({ code: 'overloaded' });
    open();
    // The same deadline holds for the next try: ask until the insert has gone through.
    let answer: unknown = null;
    for (let attempt = 0; attempt < 50 && answer === null; attempt += 1) {
      const response = await service.send('/v1/ingest', JSON.stringify(EVENT));
      if (response.status === 200) answer = await response.json();
    }
    expect(answer).toMatchObject({ received: 1, duplicate: 1 });
    await service.stop();
  });

  it('answers 503 while it is down, and 200 once it is up', async () => {
    const service = await startHttpService({ retryForMs: 50 });
    service.store.failure = storeDown();
    const down = await service.send('/v1/ingest', JSON.stringify(EVENT));
    expect(down.status).toBe(503);
    expect(await down.json()).toMatchObject({ code: 'store_unavailable' });
    service.store.failure = null;
    const up = await service.send('/v1/ingest', JSON.stringify(EVENT));
    expect(await up.json()).toMatchObject({ accepted: 1, duplicate: 0 });
    await service.stop();
  });

  it('waits out a short outage', async () => {
    const service = await startHttpService();
    service.store.failure = storeDown();
    const answer = service.send('/v1/ingest', JSON.stringify(EVENT));
    setTimeout(() => {
      service.store.failure = null;
    }, 300);
    expect((await answer).status).toBe(200);
    expect(service.store.predictions).toHaveLength(1);
    await service.stop();
  });
});

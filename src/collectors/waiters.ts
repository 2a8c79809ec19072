/** Those who wait for a change. */
export function createWaiters() {
  const waiting = new Set<() => void>();
  return {
    /** Resolves with the next `wake`, or after `timeoutMs`. */
    wait: (timeoutMs: number): Promise<void> =>
      new Promise((resolve) => {
        const go = () => {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, timeoutMs);
        waiting.add(go);
      }),
    wake(): void {
      for (const go of [...waiting]) go();
    },
  };
}

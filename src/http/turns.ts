/** Lets one in at a time, in the order of asking. */
export function createTurns() {
  let last: Promise<void> = Promise.resolve();
  return {
    /** Resolves when it is the caller's turn, with what ends it. */
    take(): Promise<() => void> {
      const before = last;
      let end: () => void = () => undefined;
      last = new Promise<void>((resolve) => {
        end = resolve;
      });
      return before.then(() => end);
    },
  };
}

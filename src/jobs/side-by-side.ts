/** Models that wait for the store together: it answers questions about many in one statement, while others are judged. */
export const MODELS_AT_ONCE = 32;

/**
 * Works on the items in order, so many at a time. After a failure, of the items too, no other is begun, and those under way are waited for.
 *
 * @param items may still be made while the first ones are worked on: each one when a place is free
 */
export async function sideBySide<T>(
  items: readonly T[] | AsyncGenerator<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const isList = Array.isArray(items);
  const queue: Iterable<T> | AsyncIterable<T> = isList ? items.values() : items;
  let failed = false;
  const worker = async () => {
    for await (const item of queue) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(
    Array.from({ length: isList ? Math.min(atOnce, items.length) : atOnce }, worker),
  );
  const failure = ended.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

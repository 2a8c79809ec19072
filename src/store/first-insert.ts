import { randomUUID } from 'node:crypto';

/** Each is used up by one deletion of what was inserted under it. After so many, rather two that win than none ever again. */
const MAX_TOKENS = 50;

/**
 * Of all processes that insert under the same token only the first one's rows are stored: that is how one of them wins. The engine
 * remembers tokens longer than rows that were deleted, so a token whose rows are gone is followed by another, for everybody the same one.
 *
 * @param token of the insert
 * @param insert inserts under the token; nothing is stored if it was used before
 * @param found what is there now: `ours`, `theirs`, or `nothing` where the token was used up before
 * @returns whether ours were the first
 */
export async function firstInsert(
  token: string,
  insert: (token: string) => Promise<void>,
  found: () => Promise<'ours' | 'theirs' | 'nothing'>,
): Promise<boolean> {
  for (let again = 0; again < MAX_TOKENS; again++) {
    await insert(again === 0 ? token : `${token}:${again}`);
    const whose = await found();
    if (whose !== 'nothing') return whose === 'ours';
  }
  await insert(randomUUID());
  return true;
}

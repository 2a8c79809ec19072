/** Looks again and again until the condition holds, and gives up in time: a loop without an end would outlive its test. */
export async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${holds}`);
    await new Promise((wake) => setTimeout(wake, 1));
  }
}

/** Forms remembered at once; events of more forms than these share less memory, and nothing else. */
const FORMS = 32;

/**
 * Gives equal lists of names as one array: a row of fifteen features then holds a reference instead of fifteen. The form
 * that came last is tried first, since senders rarely alternate.
 */
export function createSharedNames(forms = FORMS) {
  const known: (readonly string[])[] = [];
  let next = 0;

  /** Of a list that the caller goes on using: the first `length` names, copied where they are kept. */
  return (names: readonly string[], length?: number): readonly string[] => {
    const count = length ?? names.length;
    for (let at = 0; at < known.length; at += 1) {
      const form = known[at] as readonly string[];
      if (!equal(form, names, count)) continue;
      const first = known[0] as readonly string[];
      known[0] = form;
      known[at] = first;
      return form;
    }
    const own = length === undefined ? names : names.slice(0, length);
    known[known.length < forms ? known.length : next] = own;
    next = (next + 1) % forms;
    return own;
  };
}

function equal(form: readonly string[], names: readonly string[], length: number): boolean {
  if (form.length !== length) return false;
  for (let index = 0; index < length; index += 1) if (form[index] !== names[index]) return false;
  return true;
}

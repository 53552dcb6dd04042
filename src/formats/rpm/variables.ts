/** Variables in URLs of repositories (dnf.conf(5), "REPO VARIABLES"). */

/** `$name` and `${name}`; those without a value stay as they are and are told. */
export function expandVars(
  text: string,
  vars: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly unknown: readonly string[] } {
  const unknown: string[] = [];
  const expanded = text.replace(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (whole, braced, bare) => {
      const name: string = braced ?? bare;
      const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
      if (value !== undefined) return value;
      unknown.push(name);
      return whole;
    },
  );
  return { text: expanded, unknown };
}

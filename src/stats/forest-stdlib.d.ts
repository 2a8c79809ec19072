declare module '@stdlib/math/base/special/betainc/lib/index.js' {
  /** Incomplete beta function I_x(a, b): regularised and upper by the flags. */
  function betainc(x: number, a: number, b: number, regularised: boolean, upper: boolean): number;
  export = betainc;
}

declare module '@stdlib/math/base/special/gammaln/lib/index.js' {
  /** ln Γ(x). */
  function gammaln(x: number): number;
  export = gammaln;
}

/** The few @stdlib functions in use, by their deep paths: the package's index would load thousands of files. */
declare module '@stdlib/math/base/special/betainc/lib/index.js' {
  /** Regularised incomplete beta function of x in [0, 1]; the upper one when `upper`. */
  function betainc(x: number, a: number, b: number, regularized?: boolean, upper?: boolean): number;
  export = betainc;
}
declare module '@stdlib/math/base/special/erfc/lib/index.js' {
  function erfc(x: number): number;
  export = erfc;
}
declare module '@stdlib/math/base/special/erfinv/lib/index.js' {
  function erfinv(x: number): number;
  export = erfinv;
}
declare module '@stdlib/math/base/special/gammaln/lib/index.js' {
  function gammaln(x: number): number;
  export = gammaln;
}

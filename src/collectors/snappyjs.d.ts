/** The package has no types of its own. */
declare module 'snappyjs' {
  /** Throws when the data is damaged or claims to unpack to more than `maxLength` bytes. */
  export function uncompress(compressed: Buffer, maxLength?: number): Buffer;
}

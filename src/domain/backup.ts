/** One table of a backup. */
export interface BackedUpTable {
  readonly name: string;
  /** The statement that makes it. */
  readonly ddl: string;
  readonly rows: number;
  readonly bytes: number;
  /** Names of its parts, each a folder. */
  readonly parts: readonly string[];
}

/** What a backup holds: `manifest.json`, which is written last, so that a backup without one is none. */
export interface BackupManifest {
  readonly format: 1;
  /** Release that made it, and version of the engine. */
  readonly plumbline: string;
  readonly engine: string;
  readonly createdAt: string;
  readonly database: string;
  readonly tables: readonly BackedUpTable[];
}

/** The state of the store at one moment, as files beside the data that share their room on disk. */
export interface Snapshot {
  readonly id: string;
  readonly path: string;
  readonly manifest: BackupManifest;
}

export interface SnapshotStore {
  /** Writers wait while it is taken, some tenths of a second. Throws invalid_request for a store on a server. */
  takeSnapshot(): Promise<Snapshot>;
  /** False when there is none. */
  removeSnapshot(id: string): Promise<boolean>;
}

import type { Command, Option } from 'commander';
import type { CommonOptions } from './command-options.js';
import { unlessInterrupted, withInterruption } from './interruption.js';

/** Adds `backup` and `restore`. */
export function addBackupCommands(
  program: Command,
  { url, key, json, outputOf }: CommonOptions,
  options: { configFile: () => Option; dataDir: () => Option },
): void {
  program
    .command('backup <folder>')
    .description(
      'copy the embedded store into a new folder: of the running service, or of a data directory that nothing uses',
    )
    .addOption(url())
    .addOption(key())
    .addOption(options.dataDir())
    .addOption(json())
    .action(async (folder: string, given) => {
      const output = outputOf(given);
      const { backupDirectory, backupService } = await import('./backup.js');
      // What was taken is removed also when the copying is cut short.
      await withInterruption('the backup', (interruption) =>
        given.dataDir === undefined
          ? backupService(given, folder, output, interruption)
          : backupDirectory({ dataDir: given.dataDir }, folder, output, interruption),
      );
    });
  program
    .command('restore <folder>')
    .description('put a backup into an empty data directory, and bring it up to this release')
    .addOption(options.configFile())
    .addOption(options.dataDir())
    .addOption(json())
    .action(async (folder: string, given) => {
      const output = outputOf(given);
      const { restore } = await import('./backup.js');
      await unlessInterrupted('the restore', restore(given, folder, output));
    });
}

import { z } from 'zod';

const baseUrl = z.url({ protocol: /^https?$/ });

/**
 * Where open episodes are told besides the metrics: the `alerts` section.
 *
 * @param duration reads `10m` and its like as ms
 */
export const alertsSchema = (duration: z.ZodType<number, string>) =>
  z.strictObject({
    /** Straight to Alertmanager's API v2, without Prometheus. */
    alertmanager: z
      .strictObject({
        /** Base address of each Alertmanager of the cluster. */
        urls: z.array(baseUrl).min(1).max(16),
        /** How often what is open is told again; it ends by itself after four times as much. */
        resend: duration.refine((ms) => ms >= 1_000, 'must be at least 1s').prefault('1m'),
        tokenEnv: z.string().optional(),
        tokenFile: z.string().optional(),
      })
      .refine(
        ({ urls }) => urls.every((url) => !/^https?:\/\/[^/]*@/.test(url)),
        'give credentials by tokenEnv or tokenFile, not in a url',
      )
      .refine(
        ({ tokenEnv, tokenFile }) => tokenEnv === undefined || tokenFile === undefined,
        'give a token by tokenEnv or by tokenFile, not by both',
      )
      .optional(),
    /** Where docs/runbooks is published, for links in alerts. */
    runbooksUrl: baseUrl.optional(),
  });

import * as z from 'zod';
import { CHAT_ID_RULE, parseChatId } from '../domain/chat-id.ts';
import { webhookEndpointId } from '../domain/webhook-endpoint-id.ts';
import { isWebhookSecret, WEBHOOK_SECRET_RULE } from '../domain/webhook-signature.ts';

const MOST_CHATS = 1_000;
const chatSchema = z
  .string()
  .max(100)
  .refine((text) => parseChatId(text) !== undefined, { error: `must be ${CHAT_ID_RULE}` });
const chatsSchema = z.array(chatSchema).max(MOST_CHATS).nullish();

const filterSchema = z
  .object({
    skipOwn: z.boolean().nullish().meta({ description: 'No messages, reactions and edits of the account itself.' }),
    skipStatus: z.boolean().nullish().meta({ description: 'Nothing of status@broadcast.' }),
    skipSystem: z.boolean().nullish().meta({ description: 'No messages from WhatsApp itself.' }),
    skipUnsupported: z.boolean().nullish().meta({
      description:
        'No messages that cannot be shown: of a kind that is not known, or not decrypted yet (`message.waiting`).',
    }),
    groupsOnlyWhenAddressed: z
      .boolean()
      .nullish()
      .meta({ description: 'Messages in groups only when they mention the account or reply to it.' }),
    textPrefix: z.string().max(200).nullish().meta({ description: 'Only messages whose text begins so.' }),
    textPattern: z.string().max(500).nullish().meta({
      description: 'Only messages with a text in which this RE2 pattern is found, in its first 4,096 characters.',
    }),
    chats: z
      .object({ allow: chatsSchema, deny: chatsSchema })
      .nullish()
      .meta({ description: 'Only these chats, and not those; a person by number or LID.' }),
  })
  .meta({
    id: 'WebhookFilter',
    description: 'Own extension. All rules have to hold; an event that has no chat or text passes rules about them.',
  });

/** One webhook of a session's configuration: WAHA's fields, and own ones that its clients may leave out. */
export const webhookSchema = z.object({
  url: z.url(),
  events: z.array(z.string()).meta({ description: 'Names of events; `*` for all.' }),
  hmac: z.object({ key: z.string().nullish() }).nullish(),
  retries: z
    .object({
      policy: z.enum(['constant', 'linear', 'exponential']).nullish(),
      delaySeconds: z.number().nullish(),
      attempts: z.number().int().nullish(),
    })
    .nullish()
    .meta({ description: 'Left out: 24 tries within 72 hours.' }),
  customHeaders: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  secrets: z
    .array(z.string().refine(isWebhookSecret, { error: `must be ${WEBHOOK_SECRET_RULE}` }))
    .max(2)
    .nullish()
    .meta({
      description: `Own extension: secrets of Standard Webhooks, ${WEBHOOK_SECRET_RULE}. Every delivery is signed with each.`,
    }),
  ordered: z
    .boolean()
    .nullish()
    .meta({ description: 'Own extension: events of a chat come in order; one that fails holds up those behind it.' }),
  filter: filterSchema.nullish(),
});
export type WebhookConfig = z.infer<typeof webhookSchema>;

/** A webhook with its name. */
export interface WebhookEndpoint {
  readonly id: string;
  readonly webhook: WebhookConfig;
  /** Of the installation, not of the session. */
  readonly isGlobal: boolean;
}

/** All webhooks of a session. @param global the installation's own */
export function webhookEndpoints(
  webhooks: readonly WebhookConfig[] | null | undefined,
  global: WebhookConfig | undefined,
): readonly WebhookEndpoint[] {
  const seen = new Map<string, number>();
  const own = (webhooks ?? []).map((webhook) => {
    const occurrence = seen.get(webhook.url) ?? 0;
    seen.set(webhook.url, occurrence + 1);
    return { id: webhookEndpointId(webhook.url, occurrence), webhook, isGlobal: false };
  });
  if (global === undefined) return own;
  return [...own, { id: webhookEndpointId(global.url, 'global'), webhook: global, isGlobal: true }];
}

/** Whether a webhook asks for events of this name. */
export function wantsEvent({ events }: WebhookConfig, name: string): boolean {
  return events.includes(name) || events.includes('*');
}

const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');

/**
 * Environment with the installation's own webhook, which every session has besides its own; WAHA's names. Spread into the
 * schema of composition roots.
 */
export const globalWebhookEnv = {
  WHATSAPP_HOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Names of events, separated by commas. */
  WHATSAPP_HOOK_EVENTS: z.string().default('*').transform(words),
  WHATSAPP_HOOK_HMAC_KEY: z.string().min(1).optional(),
  WHATSAPP_HOOK_RETRIES_POLICY: z.enum(['constant', 'linear', 'exponential']).optional(),
  WHATSAPP_HOOK_RETRIES_DELAY_SECONDS: z.coerce.number().min(0).max(86_400).optional(),
  WHATSAPP_HOOK_RETRIES_ATTEMPTS: z.coerce.number().int().min(0).max(100).optional(),
  /** `name:value`, separated by semicolons. */
  WHATSAPP_HOOK_CUSTOM_HEADERS: z.string().default('').transform(headersIn),
};

/** Host names and addresses that webhooks may go to although they are private, separated by commas. */
export const allowedPrivateHostsEnv = { WEBHOOK_ALLOW_PRIVATE_HOSTS: z.string().default('').transform(words) };

export function globalWebhook(env: z.infer<z.ZodObject<typeof globalWebhookEnv>>): WebhookConfig | undefined {
  if (env.WHATSAPP_HOOK_URL === undefined) return undefined;
  const retries = {
    policy: env.WHATSAPP_HOOK_RETRIES_POLICY,
    delaySeconds: env.WHATSAPP_HOOK_RETRIES_DELAY_SECONDS,
    attempts: env.WHATSAPP_HOOK_RETRIES_ATTEMPTS,
  };
  return {
    url: env.WHATSAPP_HOOK_URL,
    events: env.WHATSAPP_HOOK_EVENTS,
    hmac: { key: env.WHATSAPP_HOOK_HMAC_KEY },
    customHeaders: env.WHATSAPP_HOOK_CUSTOM_HEADERS,
    ...(Object.values(retries).some((value) => value !== undefined) && { retries }),
  };
}

function headersIn(text: string): { name: string; value: string }[] {
  return text.split(';').flatMap((pair) => {
    const colon = pair.indexOf(':');
    return colon <= 0 ? [] : [{ name: pair.slice(0, colon).trim(), value: pair.slice(colon + 1).trim() }];
  });
}

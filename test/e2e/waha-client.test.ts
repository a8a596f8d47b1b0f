import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Document, type OpenAPIClient, OpenAPIClientAxios } from 'openapi-client-axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';

const contract = process.env.WAHA_OPENAPI;

/** A client that is generated from WAHA's published contract knows nothing of Trunkline; it must not notice. */
describe.skipIf(contract === undefined)('a client generated from WAHA’s OpenAPI document', () => {
  let running: RunningPlatform;
  let client: OpenAPIClient;
  let validate: (schema: string, value: unknown) => void;

  beforeAll(async () => {
    running = await runPlatform();
    // The document describes itself; the client checks what it needs of it.
    const definition = JSON.parse(await readFile(contract ?? '', 'utf8')) as Document;
    const { url, apiKey } = running.platform;
    const factory = new OpenAPIClientAxios({
      definition,
      withServer: { url },
      axiosConfigDefaults: { headers: { 'X-Api-Key': apiKey } },
    });
    client = await factory.init();
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'waha', components: asJsonSchema(definition.components) });
    validate = (schema, value) => {
      const check = ajv.getSchema(`waha#/components/schemas/${schema}`);
      if (check === undefined) throw new Error(`no schema ${schema}`);
      expect({ schema, valid: check(value), errors: check.errors }).toEqual({ schema, valid: true, errors: null });
    };
  });
  afterAll(() => running?.stop());

  const call = async (operation: string, parameters: unknown = null, body?: unknown, config: object = {}) => {
    const method = client[operation];
    if (method === undefined) throw new Error(`the contract has no ${operation}`);
    // biome-ignore lint/suspicious/noExplicitAny: the client's methods are made at run time from the document
    return await method(parameters as any, body as any, config);
  };

  it('walks the life of a session: create, QR, WORKING, sendText, messages, logout, delete', async () => {
    const created = await call('SessionsController_create', null, { name: 'default', start: true });
    expect(created.status).toBe(201);
    validate('SessionDTO', created.data);

    const qr = await until('a QR code', async () => {
      const answer = await call('AuthController_getQR', { session: 'default', format: 'raw' }, undefined, {
        validateStatus: () => true,
      });
      return answer.status === 200 ? answer.data : undefined;
    });
    validate('QRCodeValue', qr);
    const { phone } = await running.whatsapp.scan(qr.value);

    const info = await until('WORKING', async () => {
      const { data } = await call('SessionsController_get', { session: 'default' });
      return data.status === 'WORKING' ? data : undefined;
    });
    validate('SessionInfo', info);
    const { data: me } = await call('SessionsController_getMe', { session: 'default' });
    validate('MeInfo', me);
    expect(me).toMatchObject({ id: `${phone}@c.us`, pushName: expect.any(String) });

    const contact = await running.whatsapp.addContact({ name: 'Ada' });
    const chatId = `${contact.phone}@c.us`;
    const sent = await call('ChattingController_sendText', null, { session: 'default', chatId, text: 'Hi there!' });
    expect(sent.status).toBe(201);
    validate('WAMessage', sent.data);
    const [received] = await running.whatsapp.inbox(contact.phone, 0, 10_000);
    expect(received?.text).toBe('Hi there!');
    await running.whatsapp.send(contact.phone, { to: phone, text: 'Hi yourself!' });

    const messages = await until('both messages', async () => {
      const { data } = await call('ChatsController_getChatMessages', { session: 'default', chatId, limit: 10 });
      return data.length === 2 ? data : undefined;
    });
    for (const message of messages) validate('WAMessage', message);
    expect(messages.map((message: { body: string }) => message.body).sort()).toEqual(['Hi there!', 'Hi yourself!']);

    expect((await call('SessionsController_logout', { session: 'default' })).status).toBe(201);
    await until('a new QR code after the logout', async () => {
      const { data } = await call('SessionsController_get', { session: 'default' });
      return data.status === 'SCAN_QR_CODE' ? true : undefined;
    });
    expect((await call('SessionsController_delete', { session: 'default' })).status).toBe(200);
    const gone = await call('SessionsController_get', { session: 'default' }, undefined, {
      validateStatus: () => true,
    });
    expect(gone.status).toBe(404);
  });

  it('manages keys', async () => {
    await call('SessionsController_create', null, { name: 'keyed', start: false });
    const request = { isAdmin: false, session: 'keyed', isActive: true, actions: { read: true, send: true } };
    const created = await call('ApiKeysController_create', null, request);
    expect(created.status).toBe(201);
    validate('ApiKeyDTO', created.data);
    const { id, key } = created.data;

    const status = async () => {
      const address = `${running.platform.url}/api/sessions/keyed`;
      return (await fetch(address, { headers: { 'X-Api-Key': key } })).status;
    };
    expect(await status()).toBe(200);
    const { data: updated } = await call('ApiKeysController_update', { id }, { ...request, isActive: false });
    validate('ApiKeyDTO', updated);
    expect(updated).toMatchObject({ id, isActive: false, session: 'keyed' });
    await until('401', async () => ((await status()) === 401 ? true : undefined), 5_000);

    for (const operation of ['ApiKeysController_media', 'ApiKeysController_control']) {
      const { data: first } = await call(operation, null, { session: 'keyed' });
      validate('ApiKeyDTO', first);
      expect((await call(operation, null, { session: 'keyed' })).data).toMatchObject({ id: first.id, key: first.key });
    }
    const { data: all } = await call('ApiKeysController_list');
    for (const one of all) validate('ApiKeyDTO', one);
    expect(all).toHaveLength(4);
    expect((await call('ApiKeysController_delete', { id })).status).toBe(200);
    expect((await call('ApiKeysController_list')).data).toHaveLength(3);
  });
});

/**
 * The document says 3.1 and still writes words of 3.0 that JSON Schema does not know (`nullable`, `required: true`).
 * And WAHA's own answers carry null for what is not there, also in required places (`presence`, `participant`), which
 * the document does not say: so any property may be null, and the required ones must be there.
 */
function asJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJsonSchema);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable: _nullable, required, properties, ...rest } = value as Record<string, unknown>;
  const plain = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, asJsonSchema(inner)]));
  const orNull = (schema: unknown) => ({ anyOf: [asJsonSchema(schema), { type: 'null' }] });
  return {
    ...plain,
    ...(Array.isArray(required) ? { required } : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties as object).map(([name, inner]) => [name, orNull(inner)]),
          ),
        }),
  };
}

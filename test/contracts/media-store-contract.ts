import { beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';

/** What every media store does. @param factory gives an empty store */
export function defineMediaStoreContract(name: string, factory: () => Promise<MediaStore>): void {
  describe(`${name}: a media store`, () => {
    let store: MediaStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('gives back bytes and type', async () => {
      await store.put('files/alpha/a b+ü.png', Buffer.from('png'), 'image/png', 'a.png');
      const { body, mimetype } = await store.get('files/alpha/a b+ü.png');
      expect(Buffer.from(body).toString()).toBe('png');
      expect(mimetype).toBe('image/png');
    });

    it('knows what is there', async () => {
      await store.put('out/alpha/job-1', Buffer.from('x'), 'text/plain');
      expect(await store.exists('out/alpha/job-1')).toBe(true);
      expect(await store.exists('out/alpha/job-2')).toBe(false);
      await expect(store.get('out/alpha/job-2')).rejects.toBeInstanceOf(NotFoundError);
    });

    it('replaces', async () => {
      await store.put('k', Buffer.from('1'), 'text/plain');
      await store.put('k', Buffer.from('22'), 'text/html');
      expect((await store.get('k')).mimetype).toBe('text/html');
    });

    it('keeps files of more than one part', async () => {
      const large = Buffer.alloc(9 * 1024 * 1024, 7);
      await store.put('large', large, 'video/mp4', 'film.mp4');
      const { body, mimetype } = await store.get('large');
      expect(Buffer.compare(body, large)).toBe(0);
      expect(mimetype).toBe('video/mp4');
    });

    it('gives a URL that works without credentials', async () => {
      await store.put('files/alpha/b.txt', Buffer.from('hello'), 'text/plain', 'b.txt');
      const answer = await fetch(await store.presignedUrl('files/alpha/b.txt', 60));
      expect(answer.ok).toBe(true);
      expect(await answer.text()).toBe('hello');
    });

    it('deletes what begins with a prefix, a thousand at a time, and nothing else', async () => {
      const keys = Array.from({ length: 1_001 }, (_, index) => `files/alpha/${index}.txt`);
      const waiting = [...keys];
      const putAll = async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop())
          await store.put(key, Buffer.from('x'), 'text/plain');
      };
      await Promise.all(Array.from({ length: 20 }, putAll));
      await store.put('files/alphabet/1.txt', Buffer.from('x'), 'text/plain');
      await store.put('out/alpha/1.txt', Buffer.from('x'), 'text/plain');
      const ends = () => Promise.all([keys[0] ?? '', keys[1_000] ?? ''].map((key) => store.exists(key)));
      expect(await store.deleteSome('files/alpha/')).toBe(true);
      expect(await ends()).toContain(false);
      expect(await store.deleteSome('files/alpha/')).toBe(false);
      expect(await ends()).toEqual([false, false]);
      expect(await store.deleteSome('files/alpha/')).toBe(false);
      expect(await store.exists('files/alphabet/1.txt')).toBe(true);
      expect(await store.exists('out/alpha/1.txt')).toBe(true);
    });
  });
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/ogg': 'oga',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'text/vcard': 'vcf',
};

/** The ending of a stored file's name: of its own name where it has a harmless one, else by its type. */
export function mediaExtension(mimetype: string, filename: string | null): string {
  const own = /\.([A-Za-z0-9]{1,8})$/.exec(filename ?? '')?.[1];
  if (own) return own.toLowerCase();
  const [bare = ''] = mimetype.split(';');
  return EXTENSIONS[bare.trim().toLowerCase()] ?? 'bin';
}

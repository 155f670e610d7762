/** Guesses what is wrong with a text that is not the URL of a server. The text itself may hold a password. */

const schemes: Readonly<Record<string, string>> = {
  'valkey:': 'redis://',
  'valkeys:': 'rediss://',
  'http:': 'redis://',
  'https:': 'rediss://',
  'tcp:': 'redis://',
  'tls:': 'rediss://',
};

/** @returns Whole sentences, or undefined where nothing better can be said than which form is expected. */
export function urlAdvice(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 'The url is empty. Is an environment variable not set?';
  if (trimmed === 'undefined' || trimmed === 'null') {
    return `The url is the string '${trimmed}'. Is an environment variable not set?`;
  }
  if (/^rediss?:\/\/(?:[^@/]*@)?(undefined|null)(?::|\/|$)/.test(trimmed)) {
    return "The url has the host 'undefined'. Is an environment variable not set?";
  }
  if (/^rediss?:\/\/.*:(undefined|null|NaN)(?:\/|$)/.test(trimmed)) {
    return "The url has the port 'undefined'. Is an environment variable not set?";
  }
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined && !trimmed.startsWith('unix:') && !/^rediss?:/.test(trimmed)) {
    return 'The url has no scheme. Put redis:// before host and port, or rediss:// for TLS.';
  }
  const meant = scheme === undefined ? undefined : schemes[scheme];
  return meant === undefined ? undefined : `The url begins with ${scheme}//. Use ${meant} instead.`;
}

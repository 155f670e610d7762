/**
 * Why a node cannot be reached, in words for the person on call: the system's code first, then what to look at.
 *
 * Hosts, users and passwords are no part of it, and of the texts of other programs only those that are known to be harmless.
 */

const advice: Readonly<Record<string, string>> = {
  ENOTFOUND: 'DNS has no address for its host. Check the name.',
  EAI_AGAIN: 'DNS did not answer.',
  EHOSTUNREACH: 'there is no route to its host.',
  ENETUNREACH: 'there is no route to its network.',
  ETIMEDOUT: 'nothing answered at its address in time. Check the address and firewalls.',
  ENOENT: 'the socket file does not exist.',
  EACCES: 'this process may not use the socket file.',
  EMFILE: 'this process has too many open files.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'its answer is not TLS. If its port does not use TLS, use redis:// or remove `tls`.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'its answer is not TLS. If its port does not use TLS, use redis:// or remove `tls`.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name. See `tls.servername`.',
  CERT_HAS_EXPIRED: 'its certificate has expired.',
};

/** Errors of OpenSSL's verification, and of the server's. */
const isDistrust = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_(UNTRUSTED|SIGNATURE_FAILURE)|INVALID_CA/;
const wantsCertificate = /^ERR_SSL_.*ALERT.*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA)/;

/** @param isSilentReset  A plain connection that was made, and reset before a byte had come. */
export function outageReason(cause: Error & { readonly code?: unknown }, isSilentReset: boolean): string {
  const code = typeof cause.code === 'string' ? cause.code : undefined;
  if (code === undefined) return lowerFirst(cause.message);
  if (isSilentReset) return `${code} before its first reply. The port may speak TLS: use rediss:// or \`tls\`.`;
  if (isDistrust.test(code)) return `${code}: its certificate is not trusted. Set \`tls.ca\` to that of its authority.`;
  if (wantsCertificate.test(code))
    return `${code}: it may require a client certificate. Set \`tls.cert\` and \`tls.key\`.`;
  return advice[code] === undefined ? code : `${code}: ${advice[code]}`;
}

/** A sentence of its own becomes the end of another. Words in capitals stay. */
const lowerFirst = (text: string) => text.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());

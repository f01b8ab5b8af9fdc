/** Codes of Node's and OpenSSL's errors: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/

/** Whether an error with this code says that TLS did not come about: an untrusted or expired certificate, another name in it, no TLS on that port. */
export function isTlsFailure(code: string): boolean {
  return TLS_CODES.test(code)
}

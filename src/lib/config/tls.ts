import {z} from 'zod'
import {SECRET_META, secret} from './values.ts'

/** Certificates for encrypted connections to `servers`. */
export function tlsOf(servers: string) {
  return z
    .strictObject({
      ca: pem(`Certificate of the authority that signed the certificates of the ${servers}; default: those that the system trusts`),
      cert: pem(`Our certificate, where the ${servers} ask for one`),
      key: pem('Its key'),
    })
    .describe(`Encrypted connections to ${servers}; \`{}\` where the system trusts their certificates.`)
}

function pem(what: string) {
  return secret()
    .meta({...SECRET_META, description: `${what}, as PEM: usually file:PATH.`})
    .optional()
}

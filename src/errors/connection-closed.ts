/** The cause of a failure of which no more is known than that the connection ended. */
export const connectionClosed: Error = new Error('The connection was closed.');

/** The log as the jobs use it: a sentence, and data as fields. */
export interface JobLog {
  debug(message: string, data?: object): void;
  info(message: string, data?: object): void;
  warn(message: string, data?: object): void;
  error(message: string, data?: object): void;
}

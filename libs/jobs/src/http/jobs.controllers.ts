import { JobBoardController } from './job-board.controller.js';
import { JobsController } from './jobs.controller.js';

/** The routes of this lib, for an application to mount; it provides `AccessControl`. */
export const jobsControllers = [JobBoardController, JobsController] as const;

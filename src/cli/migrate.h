/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MIGRATE_H
#define CLI_MIGRATE_H

/* postern migrate [--dry-run] [-c FILE]; argv[0] is "migrate".  Gives the exit status: 0, 1 when it failed, 2 for wrong arguments. */
int cli_migrate(int argc, char **argv);

#endif

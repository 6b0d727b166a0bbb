/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

/*
 * postern check [-c FILE] [-v]: tells what is wrong with the settings, the keys and the database, and changes nothing.
 * argv[0] is "check".  Exit status: 0 when the server would work as it is told to, 1 when not, 2 for a wrong call.
 */
int cli_check(int argc, char **argv);

#endif

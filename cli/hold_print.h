#ifndef CLI_HOLD_PRINT_H
#define CLI_HOLD_PRINT_H

struct cli;
struct lanes;

/** Print ${lanes} as hold list does: a table, or a JSON line each. */
void hold_print(const struct cli *cli, const struct lanes *lanes);

#endif

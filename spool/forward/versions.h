#ifndef FORWARD_VERSIONS_H
#define FORWARD_VERSIONS_H

/** A library that runs with us, by the name it has in JSON. */
struct version {
	const char *name;
	const char *version; /* for ever */
};

/** All of them, ended by a NULL name; lives until the next call. */
const struct version *versions_list(void);

#endif

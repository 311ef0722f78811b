#include "attempt.h"

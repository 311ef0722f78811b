#include "deadletter.h"

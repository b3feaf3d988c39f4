"""Why a result came out as it did: contributions of sensors, compared with their normal band."""

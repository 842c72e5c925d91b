-- newly_lost --
-- Records of a part that differ in that only the live tables could do something with them
SELECT DISTINCT there."offset"
FROM {there}.differences
JOIN {there}.decisions AS there ON there.partition = $1 AND there."offset" = differences."offset" AND there.ordinal = 0
LEFT JOIN {here}.decisions AS here ON here.partition = $1 AND here."offset" = differences."offset" AND here.ordinal = 0
WHERE differences."table" = 'decisions' AND differences.partition = $1
    AND differences."offset" >= $2 AND differences."offset" < $3
    AND there.result IN ('failed', 'unreadable') AND here.result NOT IN ('failed', 'unreadable')
ORDER BY there."offset";

-- lost --
-- Records with which nothing could be done
SELECT partition, "offset" FROM {there}.decisions
WHERE ordinal = 0 AND result IN ('failed', 'unreadable') ORDER BY partition, "offset";
